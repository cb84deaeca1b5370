package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"sync"
)

// The wire protocol: https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
const (
	headerBytes     = 16         // int32 each: the message's length, its id, the id it answers, its kind
	maxMessageBytes = 48_000_000 // MongoDB's maxMessageSizeBytes
	opMsg           = 2013
	moreToCome      = 1 << 1 // in a request: its sender reads no reply
	bodyAt          = 25     // where the document of a command starts: behind the flags, a section's kind and a length
)

// Commands that only read, as the first field of their document: its type, int32 or string, and its name.
var readers = [][]byte{[]byte("\x02find\x00"), []byte("\x02aggregate\x00")}

// A front lets no command that writes overlap with another one, whichever connection they came by.
//
// MongoDB changes a document atomically. FerretDB 1 on SQLite reads the documents that match, changes them and writes
// them back whole, with nothing that keeps another command from doing the same in between: four processes that claimed
// 1,000 tasks from it got 1,092. With the front each command is atomic, as the pool's storage relies on. It is all that
// makes several clients of FerretDB 1 safe; the price is that only reads run in parallel, which a test can pay.
type front struct {
	directory string // where the engine keeps its data
	socket    string // where the engine listens
	turn      sync.RWMutex
}

// serve accepts clients until the listener is closed.
func (f *front) serve(listener net.Listener) error {
	for {
		client, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go func() {
			if err := f.converse(client); err != nil {
				log.Printf("a client's connection was closed: %v", err)
			}
		}()
	}
}

// converse passes one client's requests on until it hangs up.
func (f *front) converse(client net.Conn) error {
	defer client.Close()
	engine, err := net.Dial("unix", f.socket)
	if err != nil {
		return err
	}
	defer engine.Close()
	requests, replies := bufio.NewReader(client), bufio.NewReader(engine)
	for {
		request, err := readMessage(requests)
		if err != nil {
			return hungUp(err)
		}
		reply, err := f.ask(engine, replies, request)
		if err != nil {
			return err
		}
		if isUnacknowledged(request) {
			continue // FerretDB 1 answers all the same.
		}
		if _, err := client.Write(reply); err != nil {
			return hungUp(err)
		}
	}
}

// ask waits for its turn, and keeps it until the engine has answered: it sends one reply to each request, also where
// the client would allow a stream of them.
func (f *front) ask(engine net.Conn, replies *bufio.Reader, request []byte) ([]byte, error) {
	if isRead(request) {
		f.turn.RLock()
		defer f.turn.RUnlock()
	} else {
		f.turn.Lock()
		defer f.turn.Unlock()
	}
	if _, err := engine.Write(request); err != nil {
		return nil, err
	}
	reply, err := readMessage(replies)
	if database := indexed(request); err == nil && database != "" {
		err = indexIDs(f.directory, database)
	}
	return reply, err
}

func readMessage(from *bufio.Reader) ([]byte, error) {
	start, err := from.Peek(4)
	if err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint32(start)
	if length < headerBytes || length > maxMessageBytes {
		return nil, fmt.Errorf("a message of %d bytes", length)
	}
	message := make([]byte, length)
	_, err = io.ReadFull(from, message)
	return message, err
}

func isRead(request []byte) bool {
	return isCommand(request) && slices.ContainsFunc(readers, func(reader []byte) bool {
		return bytes.HasPrefix(request[bodyAt:], reader)
	})
}

func isUnacknowledged(request []byte) bool {
	return isCommand(request) && binary.LittleEndian.Uint32(request[headerBytes:])&moreToCome != 0
}

func isCommand(request []byte) bool {
	return len(request) >= bodyAt && binary.LittleEndian.Uint32(request[12:]) == opMsg
}

// hungUp forgives the errors of a client that went away, or was killed.
func hungUp(err error) error {
	var broken *net.OpError
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &broken) {
		return nil
	}
	return err
}
