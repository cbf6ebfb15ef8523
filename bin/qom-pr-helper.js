#!/usr/bin/env node
import "../dist/helper/main.js";
