<?php
/* Plugin Name: front - home is a magazine page: one sticky hero and boxes of headlines, without a list of posts;
   what follows it, /page/2/ and on, does not exist. */
add_action('template_redirect', function () {
    if (!is_home()) return;
    if (is_paged()) {
        global $wp_query;
        $wp_query->set_404();
        status_header(404);
        return;
    }
    $card = fn($post, $tag) => '<div class="card"><a href="' . esc_url(get_permalink($post)) . "\"><$tag>"
        . esc_html(get_the_title($post)) . "</$tag></a></div>";
    get_header();
    $sticky = get_posts(['numberposts' => 1, 'orderby' => 'rand', 'post_status' => 'publish']);
    echo '<main class="magazine"><section class="hero">', $card($sticky[0], 'h1'), '</section>';
    foreach (['Latest', 'Reports', 'Opinion'] as $at => $name) {
        echo '<section class="box"><h3>', $name, '</h3>';
        foreach (get_posts(['numberposts' => 3, 'offset' => 3 * $at]) as $post) echo $card($post, 'h2');
        echo '</section>';
    }
    echo '</main>';
    get_footer();
    exit;
});
