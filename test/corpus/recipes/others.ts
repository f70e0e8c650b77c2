import type { Recipe } from '../recipe.ts'

const edit = (file: string) => ({ file, from: 'before the change', to: 'after the change' })

const rustServer = `use std::{env, io::{Read, Write}, net::TcpListener};
fn main() {
    let port = env::var("PORT").unwrap();
    for stream in TcpListener::bind(format!("127.0.0.1:{port}")).unwrap().incoming() {
        let mut stream = stream.unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\\r\\ncontent-length: 12\\r\\nconnection: close\\r\\n\\r\\nrust answers");
    }
}
`
const textServer =
  "import { createServer } from 'node:http'\ncreateServer((_, response) => response.end(process.env.TEXT)).listen(process.env.PORT)"

/** Projects in other languages. */
export const otherRecipes: readonly Recipe[] = [
  {
    name: 'hugo-procfile',
    programs: ['hugo'],
    files: {
      Procfile: 'web: hugo server\n',
      'config.toml': 'title = "corpus"\ndisableKinds = ["taxonomy", "term", "RSS"]\n',
      'layouts/index.html': '<!doctype html><html><head></head><body><h1>before the change</h1></body></html>',
    },
    answers: { '': 'before the change' },
    edit: edit('layouts/index.html'),
  },
  {
    name: 'php-procfile',
    programs: ['php'],
    files: { Procfile: 'web: php -S 127.0.0.1:$PORT\n', 'index.php': "<?php echo 'php', ' answers';\n" },
    answers: { '': 'php answers' },
  },
  {
    name: 'php-hard-port-procfile',
    programs: ['php'],
    files: { Procfile: 'web: php -S localhost:18733\n', 'index.php': "<?php echo 'php', ' answers';\n" },
    answers: { '': 'php answers' },
  },
  {
    name: 'php-root',
    programs: ['php'],
    files: { 'index.php': "<?php echo 'php', ' answers';\n" },
    answers: { '': 'php answers' },
  },
  {
    name: 'go-port',
    programs: ['go'],
    files: {
      'go.mod': 'module corpus\n\ngo 1.19\n',
      'cmd/server/main.go': goServer('"127.0.0.1:" + os.Getenv("PORT")'),
    },
    answers: { '': 'go answers' },
  },
  {
    name: 'go-chi',
    programs: ['go'],
    prepare: 'go mod tidy',
    files: {
      'go.mod': 'module corpus\n\ngo 1.19\n\nrequire github.com/go-chi/chi/v5 v5.1.0\n',
      'main.go': `package main

import (
\t"net/http"
\t"os"

\t"github.com/go-chi/chi/v5"
)

func main() {
\trouter := chi.NewRouter()
\trouter.Get("/", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("chi answers")) })
\thttp.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), router)
}
`,
    },
    answers: { '': 'chi answers' },
  },
  {
    name: 'cargo',
    programs: ['cargo'],
    files: {
      'Cargo.toml': '[package]\nname = "corpus"\nversion = "0.1.0"\nedition = "2021"\n',
      'src/main.rs': rustServer,
    },
    answers: { '': 'rust answers' },
  },
  {
    name: 'axum',
    programs: ['cargo'],
    files: {
      'Cargo.toml':
        '[package]\nname = "corpus"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\naxum = "0.8"\ntokio = { version = "1", features = ["rt", "net", "macros"] }\n',
      'src/main.rs': `use axum::{routing::get, Router};
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let app = Router::new().route("/", get(|| async { "axum answers" }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
`,
    },
    prepare: 'cargo build',
    answers: { '': 'axum answers' },
  },
  {
    name: 'rack',
    programs: ['rackup'],
    files: { 'config.ru': "run ->(env) { [200, { 'content-type' => 'text/plain' }, ['rack answers']] }\n" },
    answers: { '': 'rack answers' },
  },
  {
    name: 'spring-boot',
    programs: ['java', 'mvn'],
    prepare: 'mvn -q -B compile',
    files: {
      'pom.xml': `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <parent><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-parent</artifactId><version>3.5.6</version></parent>
  <groupId>corpus</groupId><artifactId>corpus</artifactId><version>1</version>
  <properties><java.version>17</java.version></properties>
  <dependencies><dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-web</artifactId></dependency></dependencies>
  <build><plugins><plugin><groupId>org.springframework.boot</groupId><artifactId>spring-boot-maven-plugin</artifactId></plugin></plugins></build>
</project>
`,
      'src/main/java/corpus/App.java': `package corpus;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.web.bind.annotation.*;
@SpringBootApplication @RestController
public class App {
  public static void main(String[] args) { SpringApplication.run(App.class, args); }
  @GetMapping("/") String page() { return "spring answers"; }
}
`,
    },
    answers: { '': 'spring answers' },
  },
  {
    name: 'makefile',
    isFast: true,
    files: {
      Makefile: '.PHONY: dev\ndev:\n\t@node server.mjs\n',
      'server.mjs': httpServer('make answers'),
    },
    answers: { '': 'make answers' },
  },
  {
    name: 'makefile-run',
    isFast: true,
    files: {
      // A server that locald knows makes the name sure.
      Makefile: 'PYTHON ?= python3\nrun:\n\t$(PYTHON) -m http.server $(PORT)\n',
      'page.txt': 'a folder of files',
    },
    answers: { '': 'page.txt' },
  },
  {
    name: 'justfile',
    programs: ['just'],
    files: {
      justfile: 'page := "just answers"\n\ndev:\n  @TEXT="{{page}}" node server.mjs\n',
      'server.mjs': textServer,
    },
    answers: { '': 'just answers' },
  },
  {
    name: 'taskfile',
    programs: ['task'],
    files: {
      'Taskfile.yml':
        'version: "3"\ntasks:\n  dev:\n    desc: starts it\n    env: { TEXT: task answers }\n    cmds:\n      - node server.mjs\n',
      'server.mjs': textServer,
    },
    answers: { '': 'task answers' },
  },
  {
    name: 'bin-dev',
    isFast: true,
    files: { 'bin/dev': '#!/usr/bin/env sh\nexec node server.mjs\n', 'server.mjs': httpServer('bin/dev answers') },
    answers: { '': 'bin/dev answers' },
  },
  {
    name: 'cargo-workspace',
    programs: ['cargo'],
    files: {
      'Cargo.toml': '[workspace]\nresolver = "2"\nmembers = ["crates/*"]\n',
      'crates/lib/Cargo.toml': '[package]\nname = "corpus-lib"\nversion = "0.1.0"\nedition = "2021"\n',
      'crates/lib/src/lib.rs': '',
      'crates/site/Cargo.toml': '[package]\nname = "corpus-site"\nversion = "0.1.0"\nedition = "2021"\n',
      'crates/site/src/main.rs': rustServer,
    },
    answers: { '': 'rust answers' },
  },
  {
    name: 'jekyll',
    programs: ['jekyll', 'bundle'],
    files: {
      Gemfile: "gem 'jekyll'\n",
      '_config.yml': 'title: corpus\n',
      'index.md': '---\n---\n# jekyll answers\n',
    },
    answers: { '': 'jekyll answers' },
  },
  {
    name: 'frontend-and-backend',
    files: {
      'frontend/package.json': '{ "scripts": { "start": "node server.mjs" } }',
      'frontend/server.mjs': httpServer('the front end answers'),
      'backend/package.json': '{ "scripts": { "start": "node server.mjs" } }',
      'backend/server.mjs': httpServer('the back end answers'),
    },
    answers: { '': 'the front end answers', backend: 'the back end answers' },
  },
  {
    name: 'static-public',
    files: { 'public/index.html': '<!doctype html><html><body><h1>before the change</h1></body></html>' },
    answers: { '': 'before the change' },
    edit: edit('public/index.html'),
  },
]

function httpServer(text: string): string {
  return `import { createServer } from 'node:http'\ncreateServer((_, response) => response.end('${text}')).listen(process.env.PORT ?? 3000)`
}

function goServer(address: string): string {
  const imports = address.includes('os.') ? 'import (\n\t"net/http"\n\t"os"\n)' : 'import "net/http"'
  return `package main

${imports}

func main() {
\thttp.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("go answers")) })
\thttp.ListenAndServe(${address}, nil)
}
`
}
