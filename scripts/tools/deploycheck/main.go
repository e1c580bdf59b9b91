// Command deploycheck holds docker-compose.yml and the YAML files of deploy to what can be known without a container engine:
// every file is YAML without repeated keys, every name that the compose file uses is declared and every declared name is used,
// every mounted file exists, and no port but the gateway's is open to the host.
//
// It runs in the repository's root and prints what is wrong, a line each.
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// service is as much of a compose service as is checked.
type service struct {
	Image       string         `yaml:"image"`
	Restart     string         `yaml:"restart"`
	Healthcheck map[string]any `yaml:"healthcheck"`
	Ports       []any          `yaml:"ports"`
	Networks    []string       `yaml:"networks"`
	Secrets     []secretRef    `yaml:"secrets"`
	Volumes     []string       `yaml:"volumes"`
	DependsOn   map[string]any `yaml:"depends_on"`
	Environment map[string]any `yaml:"environment"`
	Build       struct {
		Dockerfile string `yaml:"dockerfile"`
	} `yaml:"build"`
}

// secretRef is the name of a secret and the file that a container sees it as.
type secretRef struct{ Source, Target string }

func (r *secretRef) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		r.Source, r.Target = n.Value, n.Value
		return nil
	}
	type plain secretRef
	return n.Decode((*plain)(r))
}

type compose struct {
	Services map[string]service `yaml:"services"`
	Networks map[string]any     `yaml:"networks"`
	Volumes  map[string]any     `yaml:"volumes"`
	Secrets  map[string]any     `yaml:"secrets"`
}

func main() {
	problems := slices.Concat(checkYAML(), checkCompose())
	for _, p := range problems {
		fmt.Println(p)
	}
	if len(problems) > 0 {
		os.Exit(1)
	}
}

// checkYAML reads every YAML file; the decoder refuses repeated keys and unknown anchors.
func checkYAML() (problems []string) {
	files := []string{"docker-compose.yml"}
	err := filepath.WalkDir("deploy", func(path string, _ fs.DirEntry, err error) error {
		if ext := filepath.Ext(path); ext == ".yaml" || ext == ".yml" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		problems = append(problems, err.Error())
	}
	for _, file := range files {
		if err := readYAML(file); err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", file, err))
		}
	}
	return problems
}

func readYAML(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	for d := yaml.NewDecoder(f); ; {
		var document map[string]any
		if err := d.Decode(&document); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func checkCompose() (problems []string) {
	var c compose
	text, err := os.ReadFile("docker-compose.yml")
	if err == nil {
		err = yaml.Unmarshal(text, &c)
	}
	if err != nil {
		return []string{err.Error()}
	}
	used := map[string]bool{}
	use := func(user, kind, name string, declared bool) {
		used[kind+" "+name] = true
		if !declared {
			problems = append(problems, fmt.Sprintf("%s uses the %s %s, which is not declared", user, kind, name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		s := c.Services[name]
		for _, n := range s.Networks {
			use(name, "network", n, has(c.Networks, n))
		}
		for _, n := range s.Secrets {
			use(name, "secret", n.Source, has(c.Secrets, n.Source))
		}
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			if !strings.HasPrefix(from, ".") {
				use(name, "volume", from, has(c.Volumes, from))
			}
		}
		for n := range s.DependsOn {
			use(name, "service", n, has(c.Services, n))
		}
		problems = append(problems, checkService(name, s)...)
	}
	for kind, names := range map[string][]string{
		"network": slices.Collect(maps.Keys(c.Networks)),
		"volume":  slices.Collect(maps.Keys(c.Volumes)),
		"secret":  slices.Collect(maps.Keys(c.Secrets)),
	} {
		for _, n := range names {
			if !used[kind+" "+n] {
				problems = append(problems, fmt.Sprintf("the %s %s is used by no service", kind, n))
			}
		}
	}
	slices.Sort(problems)
	return problems
}

// checkService holds one service to what it alone shows.
func checkService(name string, s service) (problems []string) {
	bad := func(format string, args ...any) {
		problems = append(problems, name+": "+fmt.Sprintf(format, args...))
	}
	if s.Image == "" || strings.HasSuffix(s.Image, ":latest") || !strings.Contains(s.Image, ":") {
		bad("image %q names no version", s.Image)
	}
	if s.Restart == "" {
		bad("says not whether it restarts")
	}
	if s.Healthcheck == nil {
		bad("has no health check, and does not say that it has none")
	}
	if len(s.Networks) == 0 {
		bad("names no network")
	}
	if len(s.Ports) > 0 && (name != "gateway" || len(s.Ports) > 1 || s.Ports[0] != "8080:8080") {
		bad("opens %v to the host; only the gateway's 8080 is open", s.Ports)
	}
	if s.Build.Dockerfile != "" && !exists(s.Build.Dockerfile) {
		bad("%s does not exist", s.Build.Dockerfile)
	}
	for _, v := range s.Volumes {
		if from, _, _ := strings.Cut(v, ":"); strings.HasPrefix(from, ".") && !exists(from) {
			bad("mounts %s, which does not exist", from)
		}
	}
	// A setting that names a secret's file must have that secret.
	for key, value := range s.Environment {
		_, file, ok := strings.Cut(fmt.Sprint(value), "/run/secrets/")
		file, _, _ = strings.Cut(file, "&")
		if ok && !slices.ContainsFunc(s.Secrets, func(r secretRef) bool { return r.Target == file }) {
			bad("%s names the secret %s, which it is not given", key, file)
		}
	}
	return problems
}

func has[V any](m map[string]V, key string) bool {
	_, ok := m[key]
	return ok
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
