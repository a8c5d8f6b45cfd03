// Package sms sends and receives short messages over a modem.
package sms
