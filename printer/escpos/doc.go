// Package escpos writes pages in ESC/POS, the language of nearly all thermal
// ticket printers, and takes apart what such printers answer.
//
// It keeps to the subset on which real printers agree: text mode with the
// resident GBK font, explicit FS & after every ESC @, GS v 0 for what the font
// lacks, GS ( k for QR codes, GS V 66 to cut, DLE EOT, GS r, GS a and GS ( H for
// status. Sources: Epson's ESC/POS application programming guide and its
// ESC/POS command reference. It does no I/O, and knows neither tickets nor wires.
package escpos
