using Orders.Dashboard.Auth;
using Orders.Dashboard.Login;
using Orders.Dashboard.Viewing;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Accounts;

/// <summary>An operator's own password.</summary>
internal static class OwnPasswordRoutes
{
    private const string Here = "/password";

    public static void Map(RouteGroupBuilder pages)
    {
        pages.MapGet(Here, () => Page.Of<OwnPasswordPage>(new { })).Needs(OperatorRole.Viewer);
        pages.MapPost(Here, ChangeAsync).Needs(OperatorRole.Viewer);
    }

    private static async Task<IResult> ChangeAsync(OwnPassword own, KnownSessions known, HttpContext http)
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var (present, next) = (form["present"].ToString(), form["next"].ToString());
        if (present.Length is 0 or > 1000)
            return Refused("Expected the present password.");
        if (next != form["again"])
            return Refused("The two new passwords differ. Type the same one twice.");
        var actor = Actor.Of(http);
        if (await own.ChangeAsync(actor, http, present, next) is { } refusal)
            return Refused(refusal);
        known.ForgetAllOf(actor.Name);
        return Form.Back(Here, "Your password is changed. Your other sessions have ended.");
    }

    private static PageResult<OwnPasswordPage> Refused(string why) =>
        Page.Of<OwnPasswordPage>(new { Refusal = $"Nothing was changed. {why}" }, StatusCodes.Status400BadRequest);
}
