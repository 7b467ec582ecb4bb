// Package kiosk is what a public service hall agrees on: departments and their
// items, queues, windows, tickets, visits, the table of states, who is called
// next, and the events that a day is made of.
//
// It imports nothing but the standard library, does no I/O and reads no clock.
// It does not know how a ticket is stored, printed, shown or transmitted: no
// SQL, no baud rate, no escape byte, no HTTP path. The rooms around it do, and
// they all point here.
//
// Words, used the same way everywhere:
//
//	item      a matter a citizen comes for (事项), offered by a department (部门)
//	queue     where tickets wait (队列); several items may share one
//	window    where a clerk serves (窗口)
//	ticket    the number on paper (号票), such as A012
//	visit     one citizen's stay (办事), never renumbered; it owns one ticket
//	leg       one queue a visit has to pass; most visits have one
//	call      the act of asking a visit to a window (叫号), numbered without gaps
//	journal   the ordered, hash-chained list of everything that happened
package kiosk
