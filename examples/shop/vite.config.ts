import { defineConfig } from 'vite'

const { HOST = '127.0.0.1', PORT = '5173' } = process.env

export default defineConfig({
  root: 'web',
  clearScreen: false,
  server: { host: HOST, port: Number(PORT), strictPort: true },
})
