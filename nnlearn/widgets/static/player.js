// A button that moves a place on, as a film.

const SECONDS_TO_PLAY = 6;

// play: the button; from(): the place to begin at, to(): the last one, show(place) shows one, which
// is no whole number. Places go by at the same number for each picture of the screen.
export function player(play, { from, to, show }) {
  let request = 0;
  const stop = () => {
    cancelAnimationFrame(request);
    request = 0;
    play.textContent = "Play";
  };
  play.addEventListener("click", () => {
    if (request) {
      stop();
      return;
    }
    play.textContent = "Pause";
    const first = from();
    let began = null;
    const move = (now) => {
      began ??= now;
      const at = first + ((now - began) / 1000) * (to() / SECONDS_TO_PLAY);
      show(Math.min(at, to()));
      if (at < to()) request = requestAnimationFrame(move);
      else stop();
    };
    request = requestAnimationFrame(move);
  });
  return { stop };
}
