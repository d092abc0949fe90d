// Package arch holds the test that enforces how the packages of this program
// may depend on one another. It owns the list of arrows; it judges imports and
// folders only, never what the code does.
package arch
