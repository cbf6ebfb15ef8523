#!/usr/bin/env node
import "../dist/helper/program/main.js";
