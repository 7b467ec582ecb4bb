// Package deploy holds the documents that a program carries with it.
package deploy

import _ "embed" // for the documents

// Configuration is the technician's page about every key of the configuration.
//
//go:embed docs/technician/configuration.md
var Configuration string

// ConfigurationZH is the same for Chinese readers: what each key of a device is.
//
//go:embed docs/technician/configuration-zh.md
var ConfigurationZH string
