package sms

import "fmt"

// EventKind is what an Event tells of.
type EventKind uint8

// Kinds of events.
const (
	// EventStorageNearlyFull: at least four fifths of Storage are in use.
	EventStorageNearlyFull EventKind = iota + 1
	// EventStorageFull: Storage has no room; the network keeps what is sent
	// to us until there is. Receive makes room by itself.
	EventStorageFull
	// EventNotDeleted: the modem said that it deleted a message and did not
	// (fault F46). Its repeats are dropped.
	EventNotDeleted
	// EventRoutingLost: the modem had switched its notifications off or lost
	// them; they were set again.
	EventRoutingLost
	// EventStalled: nothing has come for Config.SilenceLimit (fault F47).
	// Storages and notifications were set again; if that does not help, the
	// modem has to be restarted.
	EventStalled
	// EventDuplicate: a message came again and was dropped.
	EventDuplicate
	// EventSettled: the fate of a part that was in doubt became known late.
	EventSettled
	// EventReport: a status report of a message sent came.
	EventReport
	// EventBroadcastRefused: the modem does not take Config.Broadcasts; short
	// messages come and go all the same.
	EventBroadcastRefused
)

var eventNames = [...]string{"", "storage nearly full", "storage full", "not deleted", "routing lost", "inbox stalled", "duplicate dropped", "settled", "status report", "cell broadcast refused"}

// String returns the kind in words.
func (k EventKind) String() string {
	if int(k) < len(eventNames) {
		return eventNames[k]
	}
	return fmt.Sprintf("EventKind(%d)", uint8(k))
}

// Event is something that a machine without an operator should note.
type Event struct {
	Kind EventKind
	// Storage is the message storage that it is about, and Used and Total its
	// counts where they are known.
	Storage     string
	Used, Total int
	// Report is the status report of EventReport, else nil.
	Report *Report
	// Outcome is what EventSettled found.
	Outcome Outcome
}

func (s *Service) event(e Event) {
	s.cfg.Logger.Info("sms event", "kind", e.Kind.String(), "storage", e.Storage, "used", e.Used, "total", e.Total)
	if s.cfg.OnEvent != nil {
		s.cfg.OnEvent(e)
	}
}
