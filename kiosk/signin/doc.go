// Package signin is what every program that lets people in has in common: hashed
// secrets, a count of wrong ones, and sessions that live in a signed cookie.
//
// It knows no roles, pages or stores.
package signin
