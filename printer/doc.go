// Package printer turns a promised ticket into paper: pages and their layout,
// what a printer model can do, what a printer says about itself, and the spool
// that owns one printer and finds out whether each slip really came out.
//
// It does not know any printer language (see printer/escpos), how bytes travel,
// how jobs are stored, or who is called next.
package printer
