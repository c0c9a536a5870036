// The password form goes to the log-in routes, whose answer renews this page's cookie while every other session ends.
"use strict";

(() => {
  const wb = (window.wb = window.wb || {});

  // Gives back what takes the fields' place on the way to the server: why it was refused ("" when it was not), and nothing.
  wb.changePassword = async (old, fresh, again) => {
    const fields = new URLSearchParams({ old: old ?? "", new: fresh ?? "", again: again ?? "" });
    let refusal = "";
    try {
      const answer = await fetch("password", { method: "POST", body: fields });
      if (!answer.ok) refusal = (await answer.json()).error.message;
    } catch (failure) {
      refusal = "The connection failed. Try again.";
    }
    return [refusal, "", ""];
  };
})();
