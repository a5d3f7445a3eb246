// How is an element made? Text is only ever set as text: nothing that comes from a trace is parsed as HTML.
const make = (name, className, ...children) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children);
  return element;
};
const button = (title, className, act) => {
  const element = make("button", className, title);
  element.type = "button";
  element.addEventListener("click", act);
  return element;
};
const cell = (role, className, ...children) => {
  const element = make("div", className, ...children);
  element.setAttribute("role", role);
  return element;
};
const percent = (share) => `${(share * 100).toFixed(4)}%`;
