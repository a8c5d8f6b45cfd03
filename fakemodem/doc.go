// Package fakemodem has simulated cellular modems and the simulated operator
// network that they are on: to test software that talks to modems, without
// hardware. Both are at the wire: what a program reads and writes is what it
// would read and write on the serial port of a real modem, octet by octet.
//
//	network := fakemodem.NewNetwork(nil)
//	defer network.Close()
//	modem := network.NewModem(fakemodem.SIM800)
//	line := modem.Line() // an io.ReadWriteCloser
//
// A [Network] has cells with coverage, a short message centre that stores and
// forwards ([SMSC]), telephones in the test's hand ([Phone]) and a packet
// gateway. A [Modem] has the [Personality] of a maker's modem, a SIM, radio,
// message storages, packet contexts and a data mode that speaks PPP. Modems
// reach each other by short message and by IP, and they reach listeners inside
// the network ([Network.Listen]).
//
// IPv4 and IPv6 both work: addresses come from the pools of the access point
// (APN), by IPCP and by Router Advertisement. Telephones ring modems and are
// rung by them ([Phone.Call]), without sound. [Personality.Commands] declares what
// each modem understands, and how much of it is done.
//
// Commands are changed or added in one line ([Modem.OnCommand], [Answer]),
// notifications come by [Modem.Emit], and [Modem.Inject] makes things go wrong.
//
// # Time and chance
//
// Nothing polls: a modem that does nothing costs no goroutine. All of it but
// [Network.Listen], which stands on gVisor's stack, runs inside a
// testing/synctest bubble. With [TimingReal] everything takes the time that it
// takes in the field, which costs nothing in a bubble; without it, things
// happen almost at once. Everything random comes from [Config.Seed].
//
// # Limits
//
// What a modem takes from its line is bounded: 4 KiB of a command line, 64
// commands on it, 64 KiB that nobody reads. Message storages have the size of
// the maker's.
package fakemodem
