// The one entry of every npm script: installs what a fresh clone misses, then runs a TypeScript file under Node 24.
// Plain JavaScript that also a Node far too old can parse, so that it can say so.
'use strict';

const OLDEST_NODE = 20;
const RUNTIME_NODE = 24;
if (major(process.version) < OLDEST_NODE) {
  fail(
    `Node ${process.version} is too old: install Node ${OLDEST_NODE} or newer (https://nodejs.org) and run the command again.`,
  );
}

const childProcess = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const PACKAGES_MB = 800;
const root = path.join(__dirname, '..');

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function major(version) {
  return Number(version.replace(/^v/, '').split('.')[0]);
}

function lockedVersions(file) {
  const versions = {};
  const packages = JSON.parse(fs.readFileSync(file, 'utf8')).packages;
  Object.keys(packages).forEach((name) => {
    if (name !== '' && !packages[name].optional) versions[name] = packages[name].version;
  });
  return versions;
}

// npm writes its hidden lock file last: it lists what really lies in node_modules.
function isInstalled() {
  const hidden = path.join(root, 'node_modules', '.package-lock.json');
  if (!fs.existsSync(hidden)) return false;
  const wanted = lockedVersions(path.join(root, 'package-lock.json'));
  const present = lockedVersions(hidden);
  return Object.keys(wanted).every((name) => present[name] === wanted[name]);
}

function diskFull() {
  return `The disk is full: the packages need about ${PACKAGES_MB} MB below this folder. Free some space and run the command again.`;
}

function freeMb() {
  const { bavail, bsize } = fs.statfsSync(root);
  return (bavail * bsize) / 1e6;
}

function explainInstallFailure(output) {
  if (/ENOSPC|no space left/i.test(output)) {
    return diskFull();
  }
  if (/EACCES|EPERM|EROFS/.test(output)) {
    return 'This folder cannot be written to: give yourself write access to it and run the command again.';
  }
  if (
    /ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|E40[0-9]|E50[0-9]|ERR_SOCKET_TIMEOUT|network/i.test(
      output,
    )
  ) {
    return "The packages could not be downloaded: check the network (and the proxy or registry in npm's settings) and run the command again.";
  }
  return (
    'npm could not install the packages. Its last lines were:\n' +
    output.trim().split('\n').slice(-8).join('\n')
  );
}

// Not `npm ci`: it refuses a lock file that lacks an optional package of a platform that is not this one, and
// registries that mirror only some platforms make such lock files. What was installed is checked afterwards.
function install() {
  // Asked before: on a full disk npm fails in many ways, few of which say so.
  if (freeMb() < PACKAGES_MB) fail(diskFull());
  const started = Date.now();
  process.stderr.write('Installing packages from the lock file (once) ...\n');
  const npm = process.env.npm_execpath
    ? { command: process.execPath, args: [process.env.npm_execpath] }
    : { command: 'npm', args: [] };
  const result = childProcess.spawnSync(
    npm.command,
    npm.args.concat(['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']),
    {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  if (result.error && result.error.code === 'ENOENT') {
    fail(
      'npm was not found: install Node.js ' +
        OLDEST_NODE +
        ' or newer together with npm and run the command again.',
    );
  }
  if (result.error || result.status !== 0) {
    fail(explainInstallFailure(`${result.stdout || ''}\n${result.stderr || ''}\n${result.error || ''}`));
  }
  if (!isInstalled()) {
    fail(
      'npm installed other versions than package-lock.json names: delete node_modules and run the command again.',
    );
  }
  process.stderr.write(`Packages installed in ${((Date.now() - started) / 1000).toFixed(1)} s.\n`);
}

function runtime() {
  const platformPackages = [
    `node-${process.platform}-${process.arch}`,
    `node-bin-${process.platform}-${process.arch}`,
  ];
  for (let i = 0; i < platformPackages.length; i += 1) {
    const candidate = path.join(root, 'node_modules', platformPackages[i], 'bin', 'node');
    if (fs.existsSync(candidate)) return candidate;
  }
  if (major(process.version) >= RUNTIME_NODE) return process.execPath;
  return fail(
    `No Node ${RUNTIME_NODE} package exists for ${process.platform}-${process.arch}: install Node ${RUNTIME_NODE} yourself and run the command again with it.`,
  );
}

function main() {
  try {
    if (!isInstalled()) install();
  } catch (error) {
    fail(explainInstallFailure(String(error)));
  }
  const node = runtime();
  const target = path.resolve(root, process.argv[2] || '');
  const environment = Object.assign({}, process.env, {
    PATH: [path.dirname(node), path.join(root, 'node_modules', '.bin'), process.env.PATH || ''].join(
      path.delimiter,
    ),
  });
  // The channel tells the child when this process is gone, however it went.
  const child = childProcess.spawn(node, [target].concat(process.argv.slice(3)), {
    cwd: root,
    env: environment,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  // A terminal sends Ctrl-C to both, a plain kill to this process alone: stopping twice is harmless.
  ['SIGINT', 'SIGTERM', 'SIGHUP'].forEach((signal) => {
    process.on(signal, () => {
      child.kill(signal);
    });
  });
  child.on('error', (error) => {
    fail(`Node ${RUNTIME_NODE} could not be started: ${error.message}`);
  });
  child.on('exit', (code, signal) => {
    process.exit(signal ? 1 : code);
  });
}

main();
