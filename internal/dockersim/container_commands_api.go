package dockersim

import "net/http"

// answer answers a command, which has no body.
func answer(w http.ResponseWriter, err error) error {
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (e *Engine) serveContainerStart(w http.ResponseWriter, r request) error {
	return answer(w, e.StartContainer(r.name))
}

func (e *Engine) serveContainerStop(w http.ResponseWriter, r request) error {
	return answer(w, e.StopContainer(r.Context(), r.name))
}

func (e *Engine) serveContainerRestart(w http.ResponseWriter, r request) error {
	return answer(w, e.RestartContainer(r.Context(), r.name))
}

func (e *Engine) serveContainerPause(w http.ResponseWriter, r request) error {
	return answer(w, e.PauseContainer(r.name))
}

func (e *Engine) serveContainerUnpause(w http.ResponseWriter, r request) error {
	return answer(w, e.UnpauseContainer(r.name))
}

func (e *Engine) serveContainerKill(w http.ResponseWriter, r request) error {
	return answer(w, e.KillContainer(r.name))
}

func (e *Engine) serveContainerRename(w http.ResponseWriter, r request) error {
	return answer(w, e.RenameContainer(r.name, r.URL.Query().Get("name")))
}

func (e *Engine) serveContainerRemove(w http.ResponseWriter, r request) error {
	if r.flag("v") {
		return answer(w, e.RemoveContainerAndVolumes(r.name, r.flag("force")))
	}
	return answer(w, e.RemoveContainer(r.name, r.flag("force")))
}

// serveCommit makes an image of a container.
func (e *Engine) serveCommit(w http.ResponseWriter, r request) error {
	query := r.URL.Query()
	tag := query.Get("repo")
	if tag != "" && query.Get("tag") != "" {
		tag += ":" + query.Get("tag")
	}
	id, err := e.CommitContainer(query.Get("container"), tag)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, map[string]string{"Id": id})
	return nil
}
