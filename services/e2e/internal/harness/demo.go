package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// demoCounty answers the data folder of a county as a first `serve --demo` makes it. It is made once in a run, and each test begins with a
// copy: making it takes most of a first start. Build sets it.
var demoCounty = func() (dir string, err error) { return "", errors.New("the product is not built") }

func makeDemo(ctx context.Context, binary, dir string) (data string, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	web, err := freeAddr()
	if err != nil {
		return "", err
	}
	admin, err := freeAddr()
	if err != nil {
		return "", err
	}
	data = filepath.Join(dir, "data")
	p := &Process{
		Name: "the making of the demo county", Binary: binary, Args: []string{"serve", "--demo"}, Admin: admin, Log: filepath.Join(dir, "tongzhen.log"),
		Env: append(plainEnv(), "TONGZHEN_DATA_DIR="+data, "TONGZHEN_HTTP_ADDR="+web, "TONGZHEN_ADMIN_ADDR="+admin),
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	err = p.Start()
	if err == nil {
		err = p.demoReady(ctx)
	}
	if err := errors.Join(err, p.Stop()); err != nil {
		return "", fmt.Errorf("%w\n%s", err, p.Tail())
	}
	return data, nil
}

// copyDemo with the modes of its files: those with keys are refused if others may read them.
func copyDemo(ctx context.Context, to string) error {
	from, err := demoCounty()
	if err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "cp", "-a", from, to).CombinedOutput(); err != nil {
		return fmt.Errorf("copy the demo county: %w\n%s", err, out)
	}
	return nil
}

// demoReady waits until the demo county is there.
func (p *Process) demoReady(ctx context.Context) error {
	return poll(ctx, "the demo county", p.done, func() bool {
		log, err := os.ReadFile(p.Log)
		return err == nil && bytes.Contains(log, []byte("Tongzhen is ready"))
	})
}

// plainEnv is the environment without what would set up the product.
func plainEnv() (env []string) {
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "TONGZHEN_") && !strings.HasPrefix(pair, "OTEL_") && !strings.HasPrefix(pair, "TEST_") {
			env = append(env, pair)
		}
	}
	return env
}
