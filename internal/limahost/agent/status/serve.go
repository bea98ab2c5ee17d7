package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// headerTimeout limits the reading of a request.
const headerTimeout = 5 * time.Second

// Serve serves the status at a unix socket until stop is called, which removes the
// socket.
func Serve(socket string, b *Broadcaster, log *slog.Logger) (stop func(), err error) {
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove the previous host agent's socket: %w", err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("serve the host agent's status: %w", err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("protect the host agent's socket: %w", err), listener.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) { handle(w, r, b) })
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: headerTimeout,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() {
		if err := server.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			log.Error("serving the host agent's status failed", "error", err)
		}
	}()
	return func() {
		cancel()
		_ = server.Close()
	}, nil
}

// handle answers with the status as soon as it is newer than the client's.
func handle(w http.ResponseWriter, r *http.Request, b *Broadcaster) {
	since := int64(0)
	if text := r.FormValue("since"); text != "" {
		var err error
		if since, err = strconv.ParseInt(text, 10, 64); err != nil {
			http.Error(w, "parameter since must be a revision: "+err.Error(), http.StatusBadRequest)
			return
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), limahost.LongPoll)
	defer cancel()
	w.Header().Set("Content-Type", "application/json")
	// A client that has disconnected needs no answer.
	_ = json.NewEncoder(w).Encode(b.Wait(ctx, since))
}
