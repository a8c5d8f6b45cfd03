// Package umltest boots a user-mode Linux as an ordinary process, so that a test can
// talk to a real kernel without root: to the multiplexer n_gsm as the peer of
// package cmux, and to pppd and the kernel's PPP as the peer of package ppp.
//
//	m := umltest.Boot(t, &umltest.Config{
//		Modules:  []string{"ppp_async"},       // loaded with what they depend on
//		Programs: []string{"/usr/sbin/pppd"},  // copied with their shared libraries
//		Files:    map[string]umltest.File{"/etc/ppp/options": {Text: "lock\n"}},
//		Init:     "pppd /dev/ttyS0 115200 nodetach noauth 10.0.0.1:10.0.0.2\n",
//	})
//	m.Serial // the host's end of the guest's /dev/ttyS0: a net.Conn
//	m.Expect(t, "local  IP address", 10*time.Second) // waits for a line of the console
//	m.Input(t, "typed into the running script's standard input")
//
// A script that uses the serial line should first say
//
//	exec 3<>/dev/ttyS0; stty -F /dev/ttyS0 raw -echo
//
// so that the line stays open and transparent whatever program comes and goes.
// Tests that use this package are for Linux alone (name_linux_test.go).
//
// The guest is Debian's linux.uml (package user-mode-linux) with busybox
// (package busybox-static) as its user land: every applet is in PATH, /proc, /sys,
// /dev and /tmp are mounted, lo is up. Init is a shell script run by busybox ash;
// when it ends the machine stops. Boot skips the test where the programs are
// missing; it fails it if the guest does not come up. A boot takes about 2 s.
// Everything ends with the test. Time in the guest is real time: no synctest here.
package umltest
