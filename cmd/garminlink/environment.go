package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

const prefix = "GARMINLINK_"

// testPrefix is left to the tests of this program.
const testPrefix = prefix + "TEST_"

// files lists the variables that may come as a file instead: NAME_FILE.
var files = []string{prefix + "DATABASE_URL", prefix + "KEYSET", prefix + "GARMIN_CONSUMER", prefix + "VAULT_TOKEN", prefix + "REDIS_URL", prefix + "SMTP_URL"}

// advice says what to do about required variables.
var advice = map[string]string{
	prefix + "DATABASE_URL": "set it (or " + prefix + "DATABASE_URL_FILE) to the address of PostgreSQL, such as postgres://user:password@host/database",
	prefix + "KEYSET":       "set it (or " + prefix + "KEYSET_FILE) to what `garminlink keys generate` prints, and keep a copy: without it the stored sessions are lost",
	prefix + "BASE_URL":     "set it to the address that browsers use, such as https://link.example.org",
}

// load reads the configuration from the environment. Its error is a refusal
// that lists every fault with the name of its variable.
func load[T any](environ []string) (T, error) {
	vars := env.ToMap(environ)
	// Compose files and the like cannot unset a variable, only empty it.
	maps.DeleteFunc(vars, func(_, value string) bool { return value == "" })
	faults := readFiles(vars)
	config, err := env.ParseAsWithOptions[T](env.Options{Environment: vars, Prefix: prefix})
	if all, ok := errors.AsType[env.AggregateError](err); ok {
		for _, err := range all.Errors {
			faults = append(faults, describe(reflect.TypeFor[T](), vars, err)...)
		}
	} else if err != nil {
		return config, err
	}
	if len(faults) > 0 {
		return config, refuse("the configuration is at fault:\n  %s", strings.Join(faults, "\n  "))
	}
	return config, nil
}

// readFiles puts the contents of NAME_FILE into NAME.
func readFiles(vars map[string]string) (faults []string) {
	for _, name := range files {
		file, given := vars[name+"_FILE"]
		if !given {
			continue
		}
		if _, both := vars[name]; both {
			faults = append(faults, fmt.Sprintf("%s and %s_FILE are both set: keep one", name, name))
			continue
		}
		text, err := readSecret(file)
		if err != nil {
			faults = append(faults, fmt.Sprintf("%s_FILE: %v", name, err))
			continue
		}
		vars[name] = text
	}
	return faults
}

func readSecret(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		return "", fmt.Errorf("%s is empty", file)
	}
	return secret, nil
}

// describe words an error of the parser, which knows fields, for people, who
// know variables. It is silent on what readFiles has complained of already.
func describe(config reflect.Type, vars map[string]string, err error) []string {
	if unset, ok := errors.AsType[env.VarIsNotSetError](err); ok {
		if _, asFile := vars[unset.Key+"_FILE"]; asFile {
			return nil
		}
		return []string{fmt.Sprintf("%s is not set: %s", unset.Key, advice[unset.Key])}
	}
	if bad, ok := errors.AsType[env.ParseError](err); ok {
		field, _ := config.FieldByName(bad.Name)
		name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
		return []string{fmt.Sprintf("%s%s: %v", prefix, name, bad.Err)}
	}
	return []string{err.Error()}
}

// clients lists the variables of programs that use the API; they may be set
// where this one is run.
var clients = []string{prefix + "URL", prefix + "TOKEN", prefix + "WEBHOOK_SECRET"}

// unknown lists variables with our prefix that mean nothing: most are typing
// errors.
func unknown(environ []string) ([]string, error) {
	params, err := env.GetFieldParamsWithOptions(&Config{}, env.Options{Prefix: prefix})
	if err != nil {
		return nil, err
	}
	var names []string
	for name := range env.ToMap(environ) {
		known := slices.ContainsFunc(params, func(p env.FieldParams) bool { return p.Key == name }) ||
			slices.Contains(files, strings.TrimSuffix(name, "_FILE")) ||
			slices.Contains(clients, name) || strings.HasPrefix(name, testPrefix)
		if strings.HasPrefix(name, prefix) && !known {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}
