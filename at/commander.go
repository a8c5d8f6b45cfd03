package at

import "context"

// Commander is what sms and gprs need of a modem: commands and notifications.
// *Modem is one, and so are a session and the adapter in at/warthog. All
// methods may be called by several goroutines at once.
type Commander interface {
	// Command runs one command and waits for its end. The error is a
	// *CommandError for whatever happened after the call was checked.
	Command(ctx context.Context, cmd Command) (Response, error)

	// Handle calls fn for each notification whose line begins with prefix
	// and continues, if at all, with none of letters and digits: "+CMTI" gets
	// `+CMTI: "SM",3`. The empty prefix gets what no other subscription and
	// no command took. The calls come in the order of the lines, one at a
	// time for one subscription, on a goroutine of its own; fn may issue
	// commands and may take its time: the queue before it holds a bounded
	// number, and what is lost beyond it is counted in Notification.Lost.
	// stop ends the subscription and does not wait for a running fn.
	Handle(prefix string, fn func(Notification)) (stop func())
}

// Exec runs a plain command on c: the text without AT and CR.
func Exec(ctx context.Context, c Commander, text string) (Response, error) {
	return c.Command(ctx, Command{Text: text})
}
