// Package server is the centre as boxes and people meet it: the sync protocol
// and enrolment for boxes, over mutual TLS, and pages for people.
//
// It holds no state of its own that matters: any number of processes may serve
// one database. It does not know how anything is stored.
package server
