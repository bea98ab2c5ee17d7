package dockersim

import (
	"errors"
	"net/http"
)

// command answers a command on a container, which has no body.
func (e *Engine) command(w http.ResponseWriter, r request, do func(*container) error) error {
	if err := e.withContainer(r.name, do); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (e *Engine) serveContainerStart(w http.ResponseWriter, r request) error {
	return e.command(w, r, e.start)
}

func (e *Engine) serveContainerPause(w http.ResponseWriter, r request) error {
	return e.command(w, r, e.pause)
}

func (e *Engine) serveContainerUnpause(w http.ResponseWriter, r request) error {
	return e.command(w, r, e.unpause)
}

func (e *Engine) serveContainerKill(w http.ResponseWriter, r request) error {
	return e.command(w, r, e.kill)
}

func (e *Engine) serveContainerRename(w http.ResponseWriter, r request) error {
	return e.command(w, r, func(c *container) error { return e.rename(c, r.URL.Query().Get("name")) })
}

func (e *Engine) serveContainerRemove(w http.ResponseWriter, r request) error {
	return e.command(w, r, func(c *container) error { return e.remove(c, r.flag("force"), r.flag("v")) })
}

func (e *Engine) serveContainerStop(w http.ResponseWriter, r request) error {
	if err := e.stop(r.Context(), r.name); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (e *Engine) serveContainerRestart(w http.ResponseWriter, r request) error {
	if err := e.stop(r.Context(), r.name); err != nil && !errors.Is(err, errNotModified) {
		return err
	}
	return e.command(w, r, func(c *container) error {
		if err := e.start(c); err != nil {
			return err
		}
		e.containerEvent(c, "restart")
		return nil
	})
}
