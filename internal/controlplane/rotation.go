package controlplane

import (
	"fmt"
	"log/slog"
	"net/http"
)

// RotatePath takes a POST with ?role=ROLE and answers 204 when the token of that
// [Role] is replaced. Requests with the former token are refused from then on, and
// its watches and streams end. Only [AdminUser] may use it.
const RotatePath = "/rdd/token"

func (s *Server) serveRotation(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "use POST", http.StatusMethodNotAllowed)
		return
	}
	role := Role(r.URL.Query().Get("role"))
	if role != RoleAdmin && role != RoleReadOnly {
		http.Error(w, fmt.Sprintf("role must be %s or %s", RoleAdmin, RoleReadOnly), http.StatusBadRequest)
		return
	}
	if err := s.rotate(role); err != nil {
		s.opts.Logger.Error("a token could not be replaced", slog.String("role", string(role)), slog.Any("error", err))
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.opts.Logger.Info("a token was replaced", slog.String("role", string(role)))
	if s.opts.Rotated != nil {
		s.opts.Rotated(role)
	}
	w.WriteHeader(http.StatusNoContent)
}

// rotate replaces the token of a role. The kubeconfig has that of RoleAdmin.
func (s *Server) rotate(role Role) error {
	return s.creds.tokens.replace(s.opts.TLSDir, role, func(token string) error {
		if role != RoleAdmin {
			return nil
		}
		return writeKubeconfig(s.opts, s.creds.trusted, token, s.port)
	})
}
