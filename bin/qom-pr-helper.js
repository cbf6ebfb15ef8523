#!/usr/bin/env node
import "../lib/qom-pr-helper.js";
