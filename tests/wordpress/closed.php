<?php
/* Plugin Name: closed - REST, feeds and sitemaps are closed to strangers, as security plugins do it. */
add_filter('rest_authentication_errors', fn($found) => $found ?: new WP_Error(
    'rest_forbidden', 'Only for members.', ['status' => 401]));
add_filter('wp_sitemaps_enabled', '__return_false');
foreach (['rdf', 'rss', 'rss2', 'atom'] as $form) {
    add_action("do_feed_$form", function () {
        wp_die('No feed is available.', 'No feed', ['response' => 403]);
    }, 1);
}
