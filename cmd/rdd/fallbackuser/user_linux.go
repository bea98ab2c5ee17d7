package fallbackuser

import (
	"os"
	"strconv"
	"strings"
)

func init() { //nolint:gochecknoinits // only an init comes before that of Lima
	setMissing("/etc/passwd", os.Getuid())
}

// setMissing sets the variables of a user whom the file does not have. As container runtimes
// do, it sets HOME to "/". USER is the number of the user.
func setMissing(passwd string, uid int) {
	missing := map[string]string{"USER": strconv.Itoa(uid), "HOME": "/"}
	for name := range missing {
		if os.Getenv(name) != "" {
			delete(missing, name)
		}
	}
	if len(missing) == 0 || hasUser(passwd, uid) {
		return
	}
	for name, value := range missing {
		_ = os.Setenv(name, value) // it fails for invalid names only
	}
}

// hasUser reports whether a user has an entry in a file like /etc/passwd.
func hasUser(passwd string, uid int) bool {
	text, err := os.ReadFile(passwd)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Split(line, ":"); len(fields) > 2 && fields[2] == strconv.Itoa(uid) {
			return true
		}
	}
	return false
}
