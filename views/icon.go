package views

import (
	"embed"
	"path"
	"strings"
	"sync"
)

// The icons are Lucide's, as published on npm (lucide-static 1.62.0);
// icons/LICENSE is their licence.
//
//go:embed icons/*.svg
var iconFiles embed.FS

// icons are the shapes within each file's <svg>, by name.
var icons = sync.OnceValue(func() map[string]string {
	files, err := iconFiles.ReadDir("icons")
	if err != nil {
		panic(err)
	}
	shapes := map[string]string{}
	for _, f := range files {
		text, err := iconFiles.ReadFile(path.Join("icons", f.Name()))
		if err != nil {
			panic(err)
		}
		shapes[strings.TrimSuffix(f.Name(), ".svg")] = shapesIn(string(text))
	}
	return shapes
})

func shapesIn(svg string) string {
	_, open, _ := strings.Cut(svg, "<svg")
	_, inner, _ := strings.Cut(open, ">")
	inner, _, _ = strings.Cut(inner, "</svg>")
	return strings.Join(strings.Fields(inner), " ")
}

// iconShape panics if there is no such icon: names are literals in our own
// pages.
func iconShape(name string) string {
	shape, ok := icons()[name]
	if !ok {
		panic("views: no icon named " + name)
	}
	return shape
}
