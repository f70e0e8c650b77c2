import type { Recipe } from '../recipe.ts'
import { pip } from './python.ts'

const server = (name: string) =>
  `import { createServer } from 'node:http'\ncreateServer((_, response) => response.end('${name} answers')).listen(process.env.PORT)`
const go = `package main

import (
	"fmt"
	"net/http"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "go answers") })
	http.ListenAndServe("127.0.0.1:18734", nil)
}
`
const manage = `import os, sys
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_settings')
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
`
const settings = "SECRET_KEY = 'x'\nDEBUG = True\nROOT_URLCONF = 'site_urls'\nINSTALLED_APPS = []\nMIDDLEWARE = []\n"
const urls = `from django.http import HttpResponse
from django.urls import path
urlpatterns = [path('', lambda request: HttpResponse('django answers'))]
`
const script = (name: string) => JSON.stringify({ name, type: 'module', scripts: { dev: 'node server.js' } })

/** Projects that nothing but their own files describe: no script, no Procfile. */
export const inferredRecipes: readonly Recipe[] = [
  {
    name: 'flask',
    pip,
    files: {
      'app.py':
        "from flask import Flask\napp = Flask(__name__)\n@app.get('/')\ndef page():\n    return 'flask answers'\n",
    },
    answers: { '': 'flask answers' },
  },
  {
    name: 'django',
    pip,
    files: { 'manage.py': manage, 'site_settings.py': settings, 'site_urls.py': urls },
    answers: { '': 'django answers' },
  },
  {
    name: 'fastapi',
    pip,
    files: {
      'app/__init__.py': '',
      'app/main.py':
        "from fastapi import FastAPI\napi = FastAPI()\n@api.get('/')\ndef page():\n    return {'fastapi': 'answers'}\n",
    },
    answers: { '': '{"fastapi":"answers"}' },
  },
  {
    name: 'go-main',
    programs: ['go'],
    files: { 'go.mod': 'module corpus\n\ngo 1.19\n', 'main.go': go },
    answers: { '': 'go answers' },
  },
  {
    name: 'go-cmd',
    programs: ['go'],
    files: { 'go.mod': 'module corpus\n\ngo 1.19\n', 'cmd/server/main.go': go, 'lib.go': 'package corpus\n' },
    answers: { '': 'go answers' },
  },
  {
    name: 'streamlit',
    pip,
    files: { 'app.py': "import streamlit\nstreamlit.write('a text')\n" },
    answers: { '': 'Streamlit' },
  },
  {
    name: 'mkdocs',
    pip,
    files: { 'mkdocs.yml': 'site_name: corpus\ntheme: mkdocs\n', 'docs/index.md': '# Corpus\n\nmkdocs answers\n' },
    answers: { '': 'mkdocs answers' },
  },
  {
    name: 'hugo',
    programs: ['hugo'],
    files: {
      'hugo.toml': 'title = "corpus"\ndisableKinds = ["taxonomy", "term", "RSS"]\n',
      'config.toml': 'title = "corpus"\ndisableKinds = ["taxonomy", "term", "RSS"]\n',
      'layouts/index.html': '<!doctype html><html><head></head><body>hugo answers</body></html>',
    },
    answers: { '': 'hugo answers' },
  },
  {
    name: 'php',
    programs: ['php'],
    files: { 'public/index.php': "<?php echo 'php', ' answers';\n" },
    answers: { '': 'php answers' },
  },
  {
    name: 'sinatra',
    programs: ['ruby', 'rackup'],
    files: { 'app.rb': "require 'sinatra'\nget('/') { 'sinatra answers' }\n" },
    answers: { '': 'sinatra answers' },
  },
  {
    name: 'node-app',
    isFast: true,
    files: {
      'app.js': `require('node:http').createServer((_, response) => response.end('app.js answers')).listen(process.env.PORT)`,
    },
    answers: { '': 'app.js answers' },
  },
  {
    name: 'package-without-script',
    isFast: true,
    manifest: { main: './lib/main.js' },
    scripts: {},
    files: { 'lib/main.js': server('lib/main.js') },
    answers: { '': 'lib/main.js answers' },
  },
  {
    name: 'workspace',
    isFast: true,
    manifest: { workspaces: ['apps/*'] },
    scripts: { dev: 'concurrently "npm:dev:*"' },
    files: {
      'apps/frontend/package.json': script('@corpus/frontend'),
      'apps/frontend/server.js': server('frontend'),
      'apps/api/package.json': script('@corpus/api'),
      'apps/api/server.js': server('api'),
    },
    answers: { '': 'frontend answers', api: 'api answers' },
  },
  {
    name: 'procfile-dev',
    isFast: true,
    files: {
      'Procfile.dev': 'web: node web.mjs\napi: env PORT=$PORT node api.mjs\ncss: sleep 1000\n',
      'web.mjs': server('web'),
      'api.mjs': server('api'),
    },
    answers: { '': 'web answers', api: 'api answers' },
  },
  {
    name: 'static',
    isFast: true,
    files: { 'index.html': '<!doctype html><h1>before the change</h1>' },
    answers: { '': 'before the change' },
    edit: { file: 'index.html', from: 'before the change', to: 'after the change' },
  },
]
