package io.sextant.benchmarks;

/** Sizes of a workload: tables of users x dimension and items x dimension, examples a step. */
record Sizes(int users, int items, int dimension, int batch) {}
