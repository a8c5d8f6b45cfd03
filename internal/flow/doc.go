// Package flow keeps the round trip of a slow line short for everything that
// shares it: [Dissect] tells the flows of IP packets apart, a [Queue] shares
// the line among them, and a [Governor] holds what each TCP connection has in
// flight near what its path carries. It knows packets alone, so that a stack in
// the process and an interface of the kernel are served alike.
package flow
