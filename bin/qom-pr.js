#!/usr/bin/env node
import { main } from "../lib/qom-pr.js";

await main(process.argv.slice(2));
