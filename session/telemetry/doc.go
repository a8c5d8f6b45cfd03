// Package telemetry is a durable link between two machines over whatever
// carries: each reading that Send has accepted reaches the peer's handler once
// and in order, however often the bearer changes, the network loses or doubles
// frames, or either process is killed.
//
// # In order of use
//
// OpenStore opens the file that holds everything that must survive. Open makes
// an Endpoint of it: this machine, with a name and a handler for what comes in.
// Endpoint.AddPeer begins a link to another endpoint, with a Key that only the
// two share and one or more Paths: each a Bearer (Dial for connections that
// this side opens, Inbound for those it accepts by Endpoint.Serve, NewSMS for
// short messages, or one of the application's own) and how it is to be used.
// Peer.Send accepts a reading; its Receipt tells when the peer's handler is
// done with it. Endpoint.Events and Peer.Stats show what goes on.
//
// # What is promised
//
// When Send returns nil for an error, the reading is on disk. It stays there
// until the peer acknowledges that its handler returned nil. Until then it is
// sent again, over the first Path that works: one that failed rests for a while
// that grows, and one that is not Costly is probed meanwhile and taken again as
// soon as it answers. On a Costly path nothing is repeated before AckWait has
// passed, and no more than Burst and Interval allow is sent at all.
//
// The receiver puts a reading on disk together with the mark that makes a
// second copy a duplicate, in one transaction, and only then says it has it.
// The handler works from there. What is left is the moment between what the
// handler did and its return: a process killed there calls the handler again
// with the same Message.ID. A Config.HandlerTx closes that gap too: it writes in
// the very transaction that takes the mark.
//
// The life of an endpoint from Open to Close is an epoch with a number that
// never returns, even if an old copy of the store is put back: readings
// accepted in it are numbered anew from 1, and so are the frames. So neither
// the identity of a reading nor the nonce of a seal is used twice. If a
// receiver lost its marks (an old or a new store), what the sender knows to be
// handled does not come again; EventSkipped says how much.
//
// Frames are sealed with ChaCha20-Poly1305 under keys that are derived from the
// shared one for each direction. An observer sees lengths and times, and which
// frames belong to one link. A frame brought again does nothing. Somebody who
// can record a frame, keep it from arriving, and bring it to a collector on a
// connection of his own may draw that collector's answers to himself, where
// they are of no use to him, until the peer itself is heard again.
//
// # Limits
//
// A reading has at most MaxReading octets; longer ones are refused. It is cut
// into segments that fit the smallest MTU among the paths, so a long one may
// change paths half-way. The outbox is bounded by Config.MaxOutbox, the inbox of
// one peer by 4096 segments, and 64 streams (lives of the sender that sent
// something) are remembered. Each frame of up to MaxFrame octets has 32 of
// header and seal: a short message of 133 carries a reading of 81 octets
// alone, or several that are together not much longer.
//
// # Waiting and ending
//
// Send waits for the disk only, Receipt.Wait for its context. Nothing waits for
// a slow handler but the readings of the same peer behind it. Close waits for
// all goroutines of the endpoint, may be called twice, and leaves the store to
// its owner.
package telemetry
