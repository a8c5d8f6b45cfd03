package sms

// Store keeps what a Service and an Outbox must know after a restart. OpenStore
// makes one in a file; another may be put in its place. A Store belongs to one
// Service and the Outbox on it. Its methods are called by several goroutines at
// once.
type Store interface {
	// Load calls f for each record of a bucket, in the order of the keys as
	// octets. f must not keep key and value. The error is f's or the store's.
	Load(bucket string, f func(key, value []byte) error) error
	// Commit makes all changes or none and returns when they are durable.
	// It must not keep the slices.
	Commit(changes []Change) error
}

// Change is one change of a record.
type Change struct {
	// Bucket is the set of records: letters only.
	Bucket string
	// Key is at most 64 octets.
	Key []byte
	// Value takes the record's place; nil deletes it.
	Value []byte
}

// Buckets of a Store.
const (
	bucketReference = "reference" // recipient: time, the next reference of long messages
	bucketFlight    = "flight"    // recipient, reference: until when it is in use
	bucketSeen      = "seen"      // digest: time; the ledger
	bucketPart      = "part"      // digest: time, TPDU
	bucketOutbox    = "outbox"    // number: what is to be sent
	bucketReceipt   = "receipt"   // number, part: what was sent and is reported on
	bucketNumber    = "number"    // the last number that may have been given
)
