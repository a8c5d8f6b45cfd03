package at

// Notification is a line that the modem sent by itself (an unsolicited result
// code), or a line that no command owns any more.
type Notification struct {
	// Line is the line without its line end: `+CMTI: "SM",3`.
	Line string
	// Body is what belongs to it behind the line (the PDU of +CMT); text
	// lines are joined by "\n". Nil if nothing does.
	Body []byte
	// Incomplete says that the Body did not follow in time, or not all of it.
	Incomplete bool
	// Kind tells how the line came to be a notification.
	Kind Kind
	// Lost is the number of notifications that this subscriber lost right
	// before this one because its queue was full.
	Lost int
}

// Kind tells how a line came to be a notification.
type Kind uint8

// Kinds of notifications.
const (
	// KindKnown is a notification by the profile or by a subscription.
	KindKnown Kind = iota
	// KindUnknown is a line that nobody knows.
	KindUnknown
	// KindLate is a line that belongs to an answer nobody waits for any more.
	KindLate
	// KindReboot is the boot message of a modem that has started again by
	// itself; settings made before are gone. It goes to the subscriptions of
	// its prefix and to those of the empty prefix.
	KindReboot
)

// Args returns a reader of the line's fields behind the name.
func (n Notification) Args(name string) *Args { return ParseArgs(name, n.Line) }
