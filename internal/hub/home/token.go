package home

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	authenticationclient "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// renewAt is the part of its life after which a token is renewed.
const renewAt = 0.8

// claims are the parts of a ServiceAccount's token that its renewal needs.
type claims struct {
	Subject  string `json:"sub"`
	Expires  int64  `json:"exp"`
	IssuedAt int64  `json:"iat"`
}

// claimsOf returns the claims of a token, without a check of its signature: the hub checks
// it. It returns false for a token that is none of a ServiceAccount.
func claimsOf(token string) (claims, bool) {
	const parts = 3
	fields := strings.Split(strings.TrimSpace(token), ".")
	if len(fields) != parts {
		return claims{}, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(fields[1])
	if err != nil {
		return claims{}, false
	}
	var c claims
	if json.Unmarshal(payload, &c) != nil || c.Expires <= c.IssuedAt {
		return claims{}, false
	}
	return c, strings.HasPrefix(c.Subject, "system:serviceaccount:")
}

// dueAt returns when a token that was received at a time is to be renewed, on the clock of
// that time. The times in the token are those of the hub's clock, from which that of the
// machine can differ.
func (c claims) dueAt(received time.Time) time.Time {
	life := time.Duration(c.Expires-c.IssuedAt) * time.Second
	return received.Add(time.Duration(renewAt * float64(life)))
}

// RenewToken renews the token of the machine's ServiceAccount when it is due. Clients read
// its file again after a minute, so a renewed token needs no new client. It returns when it is due next; the zero time for other credentials, which rdd does not renew.
func (h *Home) RenewToken(ctx context.Context) (next time.Time, err error) {
	path := h.config.BearerTokenFile
	if !strings.HasPrefix(filepath.Base(path), filename.HubToken) {
		return time.Time{}, nil // none of rdd's
	}
	token, err := os.ReadFile(path)
	if err != nil {
		return time.Time{}, fmt.Errorf("read the token of this machine: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}, fmt.Errorf("read the age of the token of this machine: %w", err)
	}
	now, ok := claimsOf(string(token))
	if !ok {
		return time.Time{}, nil
	}
	due := now.dueAt(info.ModTime())
	if isSetBack := time.Now().Before(info.ModTime()); time.Now().Before(due) && !isSetBack {
		return due, nil
	}
	renewed, err := h.requestToken(ctx, now)
	if err != nil {
		return time.Time{}, fmt.Errorf("renew the token of this machine: %w", err)
	}
	if err := instance.ReplaceFile(path, []byte(renewed)); err != nil {
		return time.Time{}, fmt.Errorf("store the renewed token of this machine: %w", err)
	}
	c, ok := claimsOf(renewed)
	if !ok {
		return time.Time{}, errors.New("the hub issued a token that is none of a ServiceAccount")
	}
	return c.dueAt(time.Now()), nil
}

func (h *Home) requestToken(ctx context.Context, now claims) (string, error) {
	names := strings.Split(now.Subject, ":") // system:serviceaccount:NAMESPACE:NAME
	const parts = 4
	if len(names) != parts {
		return "", fmt.Errorf("the subject %q is no ServiceAccount", now.Subject)
	}
	accounts, err := authenticationclient.NewForConfigAndClient(h.config, h.httpClient)
	if err != nil {
		return "", fmt.Errorf("create a client for tokens: %w", err)
	}
	seconds := now.Expires - now.IssuedAt
	answer, err := accounts.ServiceAccounts(names[2]).CreateToken(ctx, names[3], &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds},
	}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return answer.Status.Token, nil
}
