// Package tun makes a packet link a network interface of the kernel, so that
// every program of the machine can use it.
//
// [New] takes a [ppp.Link], makes a TUN interface for it by
// golang.zx2c4.com/wireguard/tun, and on Linux gives it the addresses and the
// MTU of the link and the routes of the [Config] through netlink. [Interface]
// carries packets until the link ends, the interface is removed, or Close is
// called; interface, addresses and routes go with it.
//
// What is in flight on a TCP connection of the machine is held near what the
// path carries, in both directions, and what waits for the line waits in a queue
// for each flow, as in package netstack: a transfer adds no seconds to the round
// trip of what shares the link with it.
//
// It needs the privilege to make interfaces, on Linux CAP_NET_ADMIN, and
// /dev/net/tun. Without it New fails with an [*Error] that says so and answers
// errors.Is(err, fs.ErrPermission); package netstack needs no privilege.
// Elsewhere than on Linux, addresses and routes are left to the caller, who
// says so with Config.Bare.
//
// Name servers are not entered into the system's resolver: that is the
// machine's policy. DNS of the link tells them.
package tun
