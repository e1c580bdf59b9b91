// Package config reads settings. It owns the strict loading of one struct a service, secrets by file and the way
// problems are told: all at once. It refuses to know any setting.
//
// A setting comes from the flag, else from the environment, else from the YAML file, else it has its default; the zero
// value of every struct runs.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// Checker is a configuration that can tell what is wrong between its settings.
type Checker interface{ Check(p *Problems) }

// Load fills the struct that cfg points to, by its kong tags, from flags, environment and the content of a YAML file
// (nil: none). Unknown flags, unknown keys of the file and values of the wrong type are refused. If cfg is a Checker,
// everything it finds comes back in one error.
func Load(cfg any, args []string, file []byte) error {
	options := []kong.Option{
		kong.Name("tongzhen"), kong.NoDefaultHelp(), kong.Writers(io.Discard, io.Discard), kong.Exit(func(int) {}),
	}
	resolver, err := YAML(file)
	if err != nil {
		return err
	}
	parser, err := kong.New(cfg, append(options, kong.Resolvers(resolver))...)
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	if _, err := parser.Parse(args); err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	if c, ok := cfg.(Checker); ok {
		var p Problems
		c.Check(&p)
		return p.Err()
	}
	return nil
}

// YAML gives the content of a file, a flat map of flag name to value, to kong. A variable of the environment that is
// set wins. Keys that no flag bears are refused, all of them at once.
func YAML(file []byte) (kong.Resolver, error) {
	r := resolver{}
	d := yaml.NewDecoder(bytes.NewReader(file))
	if err := d.Decode(&r.values); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("read settings: the file holds more than one document")
	}
	return r, nil
}

type resolver struct{ values map[string]any }

func (r resolver) Validate(app *kong.Application) error {
	known := map[string]bool{}
	err := kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			known[flag.Name] = true
		}
		return next(nil)
	})
	if err != nil {
		return err
	}
	var p Problems
	for _, key := range slices.Sorted(maps.Keys(r.values)) {
		if !known[key] {
			p.Add(key, "there is no such setting")
		}
	}
	return p.Err()
}

func (r resolver) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	return r.values[flag.Name], nil
}
