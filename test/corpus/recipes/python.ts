import type { Recipe } from '../recipe.ts'

/** One environment for all projects. */
export const pip = [
  ...['flask>=3,<4', 'django>=5,<6', 'fastapi[standard]<1', 'hypercorn<1', 'gunicorn<24', 'streamlit<2', 'mkdocs<2'],
  ...['litestar[standard]<3', 'quart<1', 'sanic<26'],
]
const flask = "from flask import Flask\napp = Flask(__name__)\n@app.get('/')\ndef page():\n    return 'flask answers'\n"
const fastapi =
  "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef page():\n    return {'fastapi': 'answers'}\n"
const asgi = `async def app(scope, receive, send):
    if scope['type'] != 'http':
        return
    await send({'type': 'http.response.start', 'status': 200, 'headers': []})
    await send({'type': 'http.response.body', 'body': b'asgi answers'})
`
const pythonServer = `import os
from http.server import BaseHTTPRequestHandler, HTTPServer
class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'python answers')
HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Page).serve_forever()
`
const settings = `SECRET_KEY = 'x'
DEBUG = True
ROOT_URLCONF = 'site_urls'
INSTALLED_APPS = []
MIDDLEWARE = []
`
const urls = `from django.http import HttpResponse
from django.urls import path
urlpatterns = [path('', lambda request: HttpResponse('django answers'))]
`
const manage = `import os, sys
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_settings')
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
`
const django = { 'manage.py': manage, 'site_settings.py': settings, 'site_urls.py': urls }

/** Projects in Python: by their own files, and by a Procfile that ignores `$PORT`. */
export const pythonRecipes: readonly Recipe[] = [
  {
    name: 'flask-procfile',
    pip,
    files: { Procfile: 'web: .venv/bin/flask run --debug\n', 'app.py': flask },
    answers: { '': 'flask answers' },
  },
  {
    name: 'django-procfile',
    pip,
    files: { Procfile: 'web: .venv/bin/python manage.py runserver\n', ...django },
    answers: { '': 'django answers' },
  },
  {
    name: 'fastapi-procfile',
    pip,
    files: { Procfile: 'web: .venv/bin/fastapi dev main.py\n', 'main.py': fastapi },
    answers: { '': '{"fastapi":"answers"}' },
  },
  {
    name: 'uvicorn-procfile',
    pip,
    files: { Procfile: 'web: .venv/bin/python -m uvicorn main:app --reload\n', 'main.py': asgi },
    answers: { '': 'asgi answers' },
  },
  {
    name: 'hypercorn-procfile',
    pip,
    files: { Procfile: 'web: .venv/bin/hypercorn main:app\n', 'main.py': asgi },
    answers: { '': 'asgi answers' },
  },
  {
    name: 'gunicorn-procfile',
    pip,
    files: { Procfile: 'web: .venv/bin/gunicorn app:app\n', 'app.py': flask },
    answers: { '': 'flask answers' },
  },
  {
    name: 'streamlit-procfile',
    pip,
    files: {
      Procfile: 'web: .venv/bin/streamlit run app.py\n',
      'app.py': "import streamlit\nstreamlit.write('before the change')\n",
    },
    answers: { '': 'Streamlit' },
  },
  {
    name: 'mkdocs-procfile',
    pip,
    files: {
      Procfile: 'web: .venv/bin/mkdocs serve\n',
      'mkdocs.yml': 'site_name: corpus\ntheme: mkdocs\n',
      'docs/index.md': '# Corpus\n\nbefore the change\n',
    },
    answers: { '': 'before the change' },
    edit: { file: 'docs/index.md', from: 'before the change', to: 'after the change' },
  },
  {
    name: 'http-server-python',
    isFast: true,
    files: { Procfile: 'web: python3 -m http.server\n', 'index.html': '<h1>a folder of files</h1>' },
    answers: { '': 'a folder of files' },
  },
  { name: 'fastapi-main', pip, files: { 'main.py': fastapi }, answers: { '': '{"fastapi":"answers"}' } },
  {
    name: 'quart',
    pip,
    files: {
      'app.py':
        "from quart import Quart\napp = Quart(__name__)\n@app.get('/')\nasync def page():\n    return 'quart answers'\n",
    },
    answers: { '': 'quart answers' },
  },
  {
    name: 'litestar',
    pip,
    files: {
      'app.py':
        "from litestar import Litestar, get\n@get('/')\nasync def page() -> str:\n    return 'litestar answers'\napp = Litestar([page])\n",
    },
    answers: { '': 'litestar answers' },
  },
  {
    name: 'sanic',
    pip,
    files: {
      'server.py':
        "from sanic import Sanic, text\napp = Sanic('corpus')\n@app.get('/')\nasync def page(request):\n    return text('sanic answers')\n",
    },
    answers: { '': 'sanic answers' },
  },
  {
    name: 'starlette',
    pip,
    files: {
      'main.py':
        "from starlette.applications import Starlette\nfrom starlette.responses import PlainTextResponse\nfrom starlette.routing import Route\napp = Starlette(routes=[Route('/', lambda request: PlainTextResponse('starlette answers'))])\n",
    },
    answers: { '': 'starlette answers' },
  },
  {
    name: 'gradio',
    // The multipart of Litestar has the name of its own.
    pip: ['gradio<6'],
    files: {
      'app.py': "import gradio\nwith gradio.Blocks() as demo:\n    gradio.Markdown('gradio answers')\ndemo.launch()\n",
    },
    answers: { '': 'gradio answers' },
  },
  {
    name: 'python-module',
    isFast: true,
    files: {
      'shop/__init__.py': '',
      'shop/__main__.py': pythonServer,
    },
    answers: { '': 'python answers' },
  },
]
