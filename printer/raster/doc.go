// Package raster draws pages of paper as dots: single elements for printers that
// lack a font or a code, and whole pages as they will look, for previews.
//
// It does not know printer commands, wires or tickets.
package raster
