// Package deploy holds the documents that a program carries with it.
package deploy

import _ "embed" // for the documents

// Configuration is the technician's page about every key of the configuration.
//
//go:embed docs/technician/configuration.md
var Configuration string
