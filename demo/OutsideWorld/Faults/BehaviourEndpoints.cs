using System.Text.Json.Serialization;

namespace Orders.OutsideWorld.Faults;

/// <summary><c>GET</c> and <c>PUT /behaviour</c>.</summary>
internal static class BehaviourEndpoints
{
    public static void MapBehaviour(this WebApplication app)
    {
        app.MapGet("/behaviour", (Behaviour behaviour) => Show(behaviour));
        app.MapPut("/behaviour", PutAsync);
    }

    private static async Task<IResult> PutAsync(HttpRequest request, Behaviour behaviour)
    {
        var asked = await BehaviourReader.ReadAsync(request.Body, request.HttpContext.RequestAborted);
        if (asked.Problems.Count > 0)
        {
            return Results.ValidationProblem(
                asked.Problems,
                title: "The behaviour was not understood; nothing was changed.",
                detail: "Expected { \"smtp\": { \"mode\", \"delayMs\", \"share\", \"loseReply\" }, \"warehouse\": { … } }; see errors for what was found.",
                type: "urn:problem:outside-world:behaviour"
            );
        }

        // A section left out stays as it is: two faults can be switched by two people without undoing each other.
        if (asked.Smtp is { } smtp)
            behaviour.Smtp.Set(smtp);
        if (asked.Warehouse is { } warehouse)
            behaviour.Warehouse.Set(warehouse);
        return Results.Ok(Show(behaviour));
    }

    private static BehaviourView Show(Behaviour behaviour) =>
        new(Show(behaviour.Smtp.Current), Show(behaviour.Warehouse.Current));

    private static FaultProfileView Show<TMode>(FaultProfile<TMode> profile)
        where TMode : struct, Enum =>
        new(
            BehaviourReader.NameOf(profile.Mode),
            (int)profile.Delay.TotalMilliseconds,
            profile.Share,
            profile.LoseReply ? true : null
        );

    private sealed record BehaviourView(FaultProfileView Smtp, FaultProfileView Warehouse);

    private sealed record FaultProfileView(
        string Mode,
        int DelayMs,
        decimal Share,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? LoseReply
    );
}
