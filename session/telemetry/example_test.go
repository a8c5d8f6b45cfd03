package telemetry_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/telemodem/telemodem/session/telemetry"
)

// A pump sends a reading to a collector over TCP.
func Example() {
	dir, err := os.MkdirTemp("", "telemetry")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	key := telemetry.NewKey() // made once, and given to both

	// The collector.
	collectorStore, err := telemetry.OpenStore(filepath.Join(dir, "collector.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer collectorStore.Close()
	collector, err := telemetry.Open(telemetry.Config{
		Name:  "collector",
		Store: collectorStore,
		Handler: func(_ context.Context, m telemetry.Message) error {
			fmt.Printf("%s says %s over %s\n", m.From, m.Payload, m.Path)
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer collector.Close()
	_, err = collector.AddPeer(telemetry.PeerConfig{
		Name:  "pump-7",
		Key:   key,
		Paths: []telemetry.Path{{Name: "data", Bearer: telemetry.NewInbound()}},
	})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- collector.Serve(listener) }()

	// The pump.
	pumpStore, err := telemetry.OpenStore(filepath.Join(dir, "pump.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer pumpStore.Close()
	pump, err := telemetry.Open(telemetry.Config{Name: "pump-7", Store: pumpStore})
	if err != nil {
		log.Fatal(err)
	}
	defer pump.Close()
	peer, err := pump.AddPeer(telemetry.PeerConfig{
		Name: "collector",
		Key:  key,
		Paths: []telemetry.Path{{
			Name: "data",
			Bearer: telemetry.Dial(func(ctx context.Context) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", listener.Addr().String())
			}),
		}},
	})
	if err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	receipt, err := peer.Send(ctx, []byte("2.4 bar"))
	if err != nil {
		log.Fatal(err) // it was not accepted
	}
	if err := receipt.Wait(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("acknowledged over", receipt.Path())

	collector.Close()
	<-served
	// Output:
	// pump-7 says 2.4 bar over data
	// acknowledged over data
}

// A collector that counts what came, in the store itself: whenever it is killed,
// each reading is counted once.
func ExampleConfig_handlerTx() {
	dir, err := os.MkdirTemp("", "telemetry")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store, err := telemetry.OpenStore(filepath.Join(dir, "collector.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	collector, err := telemetry.Open(telemetry.Config{
		Name:  "collector",
		Store: store,
		HandlerTx: func(tx telemetry.Tx, m telemetry.Message) error {
			key := []byte("count of " + m.From)
			count, _ := strconv.Atoi(string(tx.Get(key)))
			return tx.Put(key, strconv.AppendInt(nil, int64(count+1), 10))
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer collector.Close()
	fmt.Println(collector.Name(), "is ready")
	// Output: collector is ready
}
