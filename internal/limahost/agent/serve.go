package agent

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

// headersWithin bounds what a client may take to ask.
const headersWithin = 5 * time.Second

// serve answers questions for the status at socket until stop is called, which
// removes the socket.
func serve(socket string, b *board, log *slog.Logger) (stop func(), err error) {
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove the socket of the last host agent: %w", err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("serve the status: %w", err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("protect the socket of the status: %w", err), listener.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) { answer(w, r, b) })
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: headersWithin,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() {
		if err := server.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			log.Error("the status is not served any more", "error", err)
		}
	}()
	return func() {
		cancel()
		_ = server.Close()
	}, nil
}

// answer says the status, when it is newer than what the client knows.
func answer(w http.ResponseWriter, r *http.Request, b *board) {
	since := int64(0)
	if text := r.FormValue("since"); text != "" {
		var err error
		if since, err = strconv.ParseInt(text, 10, 64); err != nil {
			http.Error(w, "since is no revision: "+err.Error(), http.StatusBadRequest)
			return
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), limahost.LongPoll)
	defer cancel()
	w.Header().Set("Content-Type", "application/json")
	// A client that is gone needs no answer.
	_ = json.NewEncoder(w).Encode(b.wait(ctx, since))
}
