// The tests' second database: FerretDB (the MongoDB protocol over SQLite, in Go) behind a front on a free loopback
// port. It keeps its data in the directory that is its only argument, and prints its URI once it is listening.
package main

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: ferretdb DIRECTORY")
	}
	debug.SetGCPercent(400) // It makes garbage of every document that it looks at.
	socket := filepath.Join(os.Args[1], "engine.sock")
	engine, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{Unix: socket},
		Handler:   "sqlite",
		SQLiteURL: "file:" + os.Args[1] + "/?_pragma=synchronous(off)", // Tests have nothing to lose in a power cut.
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { listener.Close() })
	go func() {
		engine.MongoDBURI() // It returns once the engine is listening.
		fmt.Printf("mongodb://%s/\n", listener.Addr())
		if err := (&front{directory: os.Args[1], socket: socket}).serve(listener); err != nil {
			log.Fatal(err)
		}
	}()
	if err := engine.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
