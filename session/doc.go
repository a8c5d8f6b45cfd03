// Package session keeps one modem working: it opens the line, finds out which
// modem is on it, sets it up, opens its SIM, watches it, and brings it back
// when it misbehaves.
//
// Open returns a Session when the modem is usable. Session.SMS sends and
// receives messages, Session.DialContext makes a data call when it is needed
// and connects through it, Session.Radio tells of SIM, registration and
// signal. A Session is itself an at.Commander that outlives the modem behind
// it: while one is being brought back, commands wait within their context, and
// what was subscribed stays subscribed. Status and Events tell what goes on.
//
// What differs between modems is data in package session/profile. Where the
// profile has 3GPP TS 27.010 multiplexing, commands and messages go on during
// a data call; elsewhere they get at.ErrDataMode until it has ended. With
// Config.Sockets data goes through the sockets inside the modem instead, and
// both go on on any line.
//
// # Recovery
//
// After a reboot of the modem all settings are made again; commands wait
// meanwhile. What does not get well by that climbs a ladder, whose rungs and
// their order are those of Rung:
//
//   - A modem that does not answer, or whose line was lost, has its line closed
//     and opened again, with growing and jittered pauses in the spirit of GSMA
//     TS.34; it is taken for one that a crash left multiplexing or in a data
//     call, and brought out of that. At the third failure it is told to
//     restart, as it may hear though it says nothing; ten minutes after the
//     first its power is cut (Config.Power). A port on USB is found again by
//     its identity.
//   - A modem that answers but cannot be used, because its SIM fails for
//     instance, has its radio switched off and on, then is restarted, then
//     loses its power.
//   - A network that stays away is looked for anew, ever more rarely (see
//     gprs.Radio.Register); after half an hour the modem is restarted, after
//     two its power is cut, and then at most one of both a day.
//   - Data calls that fail one after the other while the modem is registered
//     have it detach and attach, then switch its radio, restart, lose power.
//     Where the modem says that it has no packet service, coverage is waited
//     for first, for half an hour.
//
// Rungs that load the network or stop the modem have budgets by the hour and by
// the day (Config.Budgets), in which other times of trouble count, too; resets
// keep 10 min, 30 min and then 1 h between each other until all has been well
// for half an hour. So there is no reboot loop. Each rung is an event with its
// reason, and so is one that is held back by its budget (EventHeldBack). What
// was spent is kept in memory, or in Config.Ledger over restarts of the process.
//
// A PIN that was refused ends the session: trying again would lock the SIM. The
// PIN is entered once after each start of the modem, the tries left are read
// before, and the last one is never spent.
//
// Open itself climbs nothing but the way out of multiplexer and data mode: who
// opens a session hears what is wrong. With Config.KeepTrying it climbs as well.
//
// # Several modems
//
// A Bank has any number of sessions, each under a name, for gateways and
// collectors: Bank.Send sends by a modem that is fit, Bank.Receive takes messages
// from all, Bank.Add and Bank.Remove follow what is plugged in and out. A message
// whose fate is in doubt is never sent by a second modem.
//
// Every wait has a context and a limit. Close ends the data call, stops the
// multiplexer, frees the line, and waits for every goroutine, with one exception:
// see ErrPowerRunning.
package session
