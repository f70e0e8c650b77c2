/**
 * Runs before the page is parsed: a script of its own in the head, as an inline one is not allowed. It sets the chosen
 * theme before the first paint, and starts the worker that connects to the daemon while the app is still loading.
 */
import { startWorker } from './stream/start-worker.ts'

const chosen = localStorage.getItem('theme')
if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset['theme'] = chosen
startWorker()
