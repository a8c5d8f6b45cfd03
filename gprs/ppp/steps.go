package ppp

// state of the option negotiation automaton (RFC 1661 section 4.2).
type state byte

// Each comment says what the lower layer and the peer are in for. States
// count from 1, so that an absent cell of the table is no state.
const (
	stateInitial  state = iota + 1 // line down, not wanted
	stateStarting                  // line down, wanted
	stateClosed                    // line up, not wanted: every packet is answered with Terminate-Ack
	stateStopped                   // line up, ended by the peer or by a limit: a Configure-Request begins anew
	stateClosing                   // our Terminate-Request waits for its Ack
	stateStopping                  // we acknowledged the peer's Terminate-Request and wait one period
	stateReqSent                   // our Configure-Request waits for its answer
	stateAckRcvd                   // the peer agreed, we have not
	stateAckSent                   // we agreed, the peer has not
	stateOpened                    // agreed
	numStates
)

// event of the automaton (RFC 1661 section 4.3).
type event byte

const (
	eventUp           event = iota
	eventDown               // the lower layer went down
	eventOpen               // we want the layer
	eventClose              // we no longer want it
	eventTimeout            // TO+: the restart timer ended, tries are left
	eventTimeoutLast        // TO-: no tries are left
	eventRequestGood        // RCR+
	eventRequestBad         // RCR-
	eventAck                // RCA
	eventNak                // RCN: Nak or Reject
	eventTerminate          // RTR
	eventTerminateAck       // RTA
	eventUnknownCode        // RUC
	eventRejectMild         // RXJ+: a Code- or Protocol-Reject we can live with
	eventRejectFatal        // RXJ-
	eventEcho               // RXR: Echo-Request, Echo-Reply, Discard-Request
	numEvents
)

// action of the automaton (RFC 1661 section 4.4), a set.
type action uint16

const (
	thisLayerUp       action = 1 << iota // tlu
	thisLayerDown                        // tld
	thisLayerStarted                     // tls
	thisLayerFinished                    // tlf
	initRestart                          // irc
	zeroRestart                          // zrc
	sendRequest                          // scr
	sendAck                              // sca
	sendNak                              // scn: Nak or Reject
	sendTerminate                        // str
	sendTerminateAck                     // sta
	sendCodeReject                       // scj
	sendEchoReply                        // ser
)

// step is one cell: what to do and where to go.
type step struct {
	do action
	to state
}

// steps is the table of RFC 1661 section 4.1. An absent cell cannot happen
// and changes nothing. The restart option (r) and the passive option (p) of
// the table are not taken.
var steps = [numEvents][numStates]step{
	eventUp: {
		stateInitial:  {to: stateClosed},
		stateStarting: {do: initRestart | sendRequest, to: stateReqSent},
	},
	eventDown: {
		stateClosed:   {to: stateInitial},
		stateStopped:  {do: thisLayerStarted, to: stateStarting},
		stateClosing:  {to: stateInitial},
		stateStopping: {to: stateStarting},
		stateReqSent:  {to: stateStarting},
		stateAckRcvd:  {to: stateStarting},
		stateAckSent:  {to: stateStarting},
		stateOpened:   {do: thisLayerDown, to: stateStarting},
	},
	eventOpen: {
		stateInitial:  {do: thisLayerStarted, to: stateStarting},
		stateStarting: {to: stateStarting},
		stateClosed:   {do: initRestart | sendRequest, to: stateReqSent},
		stateStopped:  {to: stateStopped},
		stateClosing:  {to: stateStopping},
		stateStopping: {to: stateStopping},
		stateReqSent:  {to: stateReqSent},
		stateAckRcvd:  {to: stateAckRcvd},
		stateAckSent:  {to: stateAckSent},
		stateOpened:   {to: stateOpened},
	},
	eventClose: {
		stateInitial:  {to: stateInitial},
		stateStarting: {do: thisLayerFinished, to: stateInitial},
		stateClosed:   {to: stateClosed},
		stateStopped:  {to: stateClosed},
		stateClosing:  {to: stateClosing},
		stateStopping: {to: stateClosing},
		stateReqSent:  {do: initRestart | sendTerminate, to: stateClosing},
		stateAckRcvd:  {do: initRestart | sendTerminate, to: stateClosing},
		stateAckSent:  {do: initRestart | sendTerminate, to: stateClosing},
		stateOpened:   {do: thisLayerDown | initRestart | sendTerminate, to: stateClosing},
	},
	eventTimeout: {
		stateClosing:  {do: sendTerminate, to: stateClosing},
		stateStopping: {do: sendTerminate, to: stateStopping},
		stateReqSent:  {do: sendRequest, to: stateReqSent},
		stateAckRcvd:  {do: sendRequest, to: stateReqSent},
		stateAckSent:  {do: sendRequest, to: stateAckSent},
	},
	eventTimeoutLast: {
		stateClosing:  {do: thisLayerFinished, to: stateClosed},
		stateStopping: {do: thisLayerFinished, to: stateStopped},
		stateReqSent:  {do: thisLayerFinished, to: stateStopped},
		stateAckRcvd:  {do: thisLayerFinished, to: stateStopped},
		stateAckSent:  {do: thisLayerFinished, to: stateStopped},
	},
	eventRequestGood: {
		stateClosed:   {do: sendTerminateAck, to: stateClosed},
		stateStopped:  {do: initRestart | sendRequest | sendAck, to: stateAckSent},
		stateClosing:  {to: stateClosing},
		stateStopping: {to: stateStopping},
		stateReqSent:  {do: sendAck, to: stateAckSent},
		stateAckRcvd:  {do: sendAck | thisLayerUp, to: stateOpened},
		stateAckSent:  {do: sendAck, to: stateAckSent},
		stateOpened:   {do: thisLayerDown | sendRequest | sendAck, to: stateAckSent},
	},
	eventRequestBad: {
		stateClosed:   {do: sendTerminateAck, to: stateClosed},
		stateStopped:  {do: initRestart | sendRequest | sendNak, to: stateReqSent},
		stateClosing:  {to: stateClosing},
		stateStopping: {to: stateStopping},
		stateReqSent:  {do: sendNak, to: stateReqSent},
		stateAckRcvd:  {do: sendNak, to: stateAckRcvd},
		stateAckSent:  {do: sendNak, to: stateReqSent},
		stateOpened:   {do: thisLayerDown | sendRequest | sendNak, to: stateReqSent},
	},
	eventAck: {
		stateClosed:   {do: sendTerminateAck, to: stateClosed},
		stateStopped:  {do: sendTerminateAck, to: stateStopped},
		stateClosing:  {to: stateClosing},
		stateStopping: {to: stateStopping},
		stateReqSent:  {do: initRestart, to: stateAckRcvd},
		stateAckRcvd:  {do: sendRequest, to: stateReqSent},
		stateAckSent:  {do: initRestart | thisLayerUp, to: stateOpened},
		stateOpened:   {do: thisLayerDown | sendRequest, to: stateReqSent},
	},
	eventNak: {
		stateClosed:   {do: sendTerminateAck, to: stateClosed},
		stateStopped:  {do: sendTerminateAck, to: stateStopped},
		stateClosing:  {to: stateClosing},
		stateStopping: {to: stateStopping},
		stateReqSent:  {do: initRestart | sendRequest, to: stateReqSent},
		stateAckRcvd:  {do: sendRequest, to: stateReqSent},
		stateAckSent:  {do: initRestart | sendRequest, to: stateAckSent},
		stateOpened:   {do: thisLayerDown | sendRequest, to: stateReqSent},
	},
	eventTerminate: {
		stateClosed:   {do: sendTerminateAck, to: stateClosed},
		stateStopped:  {do: sendTerminateAck, to: stateStopped},
		stateClosing:  {do: sendTerminateAck, to: stateClosing},
		stateStopping: {do: sendTerminateAck, to: stateStopping},
		stateReqSent:  {do: sendTerminateAck, to: stateReqSent},
		stateAckRcvd:  {do: sendTerminateAck, to: stateReqSent},
		stateAckSent:  {do: sendTerminateAck, to: stateReqSent},
		stateOpened:   {do: thisLayerDown | zeroRestart | sendTerminateAck, to: stateStopping},
	},
	eventTerminateAck: {
		stateClosed:   {to: stateClosed},
		stateStopped:  {to: stateStopped},
		stateClosing:  {do: thisLayerFinished, to: stateClosed},
		stateStopping: {do: thisLayerFinished, to: stateStopped},
		stateReqSent:  {to: stateReqSent},
		stateAckRcvd:  {to: stateReqSent},
		stateAckSent:  {to: stateAckSent},
		stateOpened:   {do: thisLayerDown | sendRequest, to: stateReqSent},
	},
	eventUnknownCode: {
		stateClosed:   {do: sendCodeReject, to: stateClosed},
		stateStopped:  {do: sendCodeReject, to: stateStopped},
		stateClosing:  {do: sendCodeReject, to: stateClosing},
		stateStopping: {do: sendCodeReject, to: stateStopping},
		stateReqSent:  {do: sendCodeReject, to: stateReqSent},
		stateAckRcvd:  {do: sendCodeReject, to: stateAckRcvd},
		stateAckSent:  {do: sendCodeReject, to: stateAckSent},
		stateOpened:   {do: sendCodeReject, to: stateOpened},
	},
	eventRejectMild: {
		stateClosed:   {to: stateClosed},
		stateStopped:  {to: stateStopped},
		stateClosing:  {to: stateClosing},
		stateStopping: {to: stateStopping},
		stateReqSent:  {to: stateReqSent},
		stateAckRcvd:  {to: stateReqSent},
		stateAckSent:  {to: stateAckSent},
		stateOpened:   {to: stateOpened},
	},
	eventRejectFatal: {
		stateClosed:   {do: thisLayerFinished, to: stateClosed},
		stateStopped:  {do: thisLayerFinished, to: stateStopped},
		stateClosing:  {do: thisLayerFinished, to: stateClosed},
		stateStopping: {do: thisLayerFinished, to: stateStopped},
		stateReqSent:  {do: thisLayerFinished, to: stateStopped},
		stateAckRcvd:  {do: thisLayerFinished, to: stateStopped},
		stateAckSent:  {do: thisLayerFinished, to: stateStopped},
		stateOpened:   {do: thisLayerDown | initRestart | sendTerminate, to: stateStopping},
	},
	eventEcho: {
		stateClosed:   {to: stateClosed},
		stateStopped:  {to: stateStopped},
		stateClosing:  {to: stateClosing},
		stateStopping: {to: stateStopping},
		stateReqSent:  {to: stateReqSent},
		stateAckRcvd:  {to: stateAckRcvd},
		stateAckSent:  {to: stateAckSent},
		stateOpened:   {do: sendEchoReply, to: stateOpened},
	},
}
