<?php
/* Plugin Name: boxes - what plugins print around and inside a text: related posts, votes, shares, views, reading
   time, ads. Other classes, counts, posts and places at each request. */
function box_name(): string {
    return substr(str_shuffle('abcdefghijklmnopqrstuvwxyz'), 0, 3) . bin2hex(random_bytes(3));
}
function box_related(string $kicker): string {
    [$other] = get_posts(['numberposts' => 1, 'orderby' => 'rand', 'exclude' => [get_the_ID()]]) + [null];
    if (!$other || $other->post_title === '') return '';
    $link = '<a href="' . esc_url(get_permalink($other)) . '">' . esc_html(get_the_title($other)) . '</a>';
    return '<div class="' . box_name() . '"><div class="' . box_name() . '">' . $kicker . $link . '</div></div>';
}
function box_ad(): string {
    $inside = ['<a href="https://ads.example/' . wp_rand(1, 9999) . '">Advertisement</a>',
        '<ins class="adsbygoogle" data-ad-slot="' . wp_rand() . '"></ins><script>(a=window.a||[]).push({})</script>',
        '<a href="https://ads.example/"><img src="https://ads.example/' . wp_rand() . '.png" alt=""></a>'];
    return '<div class="' . box_name() . '" itemscope itemtype="https://schema.org/WPAdBlock" id="' . box_name() . '">'
        . $inside[array_rand($inside)] . '</div>';
}
function box_counters(): string {
    $share = '';
    foreach (['facebook.com/sharer/sharer.php?u=', 'x.com/intent/post?url=', 'wa.me/?text=', 't.me/share/url?url='] as $to) {
        $share .= '<a class="' . box_name() . '" href="https://' . $to . rawurlencode(get_permalink()) . '"><span>'
            . wp_rand(0, 900) . '</span></a>';
    }
    return '<div class="social-share-' . box_name() . '">' . $share . '</div>'
        . '<div class="post-views post-' . get_the_ID() . ' ' . box_name() . '"><span class="' . box_name() . '">'
        . number_format(wp_rand(1, 99999)) . '</span> <span>views</span></div>'
        . '<div class="rating-vote-' . box_name() . '"><button>+' . wp_rand(1, 99) . '</button><button>-'
        . wp_rand(1, 99) . '</button><p>' . wp_rand(10, 50) / 10 . ' / 5 (' . wp_rand(1, 400) . ' votes)</p></div>'
        . '<div class="reading-time ' . box_name() . '">Reading time: ' . wp_rand(1, 9) . ' minutes</div>';
}
add_filter('the_content', function ($content) {
    if (!is_singular('post') || !in_the_loop() || !is_main_query() || post_password_required()) return $content;
    $parts = explode('</p>', $content);
    $text = '';
    foreach ($parts as $at => $part) {
        $text .= $part . ($at < count($parts) - 1 ? '</p>' : '');
        if ($at >= count($parts) - 2) continue;
        if (wp_rand(0, 2) === 0) $text .= box_ad();
        if (wp_rand(0, 3) === 0) $text .= box_related(['', 'Read also: ', 'Related: '][wp_rand(0, 2)]);
    }
    return box_counters() . $text . box_ad() . box_related('') . box_counters();
}, 50);
add_action('wp_footer', function () {
    foreach (get_posts(['numberposts' => 3, 'orderby' => 'rand']) as $post) {
        echo '<aside class="' . box_name() . '"><h4><a href="' . esc_url(get_permalink($post)) . '">'
            . esc_html(get_the_title($post)) . '</a></h4><span>' . wp_rand(1, 9999) . '</span></aside>';
    }
});
