// What the image tool uses of undici: HTTP/1.1 requests through a pool, and proxies. Loading all of the package (fetch, HTTP/2, WebSockets, mocks, caches)
// would take longer than most requests to a registry near by.
'use strict';
const Dispatcher = require('undici/lib/dispatcher/dispatcher.js');

Dispatcher.prototype.request = require('undici/lib/api/api-request.js');

module.exports = {
  Agent: require('undici/lib/dispatcher/agent.js'),
  get EnvHttpProxyAgent() {
    return require('undici/lib/dispatcher/env-http-proxy-agent.js');
  },
};
