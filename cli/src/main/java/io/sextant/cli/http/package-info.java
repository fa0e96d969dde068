/** The example service: a recommender over HTTP with JSON, and a page to try it in. */
@NullMarked
package io.sextant.cli.http;

import org.jspecify.annotations.NullMarked;
