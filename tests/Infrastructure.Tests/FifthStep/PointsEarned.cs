namespace Orders.Infrastructure.Tests.FifthStep;

/// <summary>Points were added to a customer's account.</summary>
/// <param name="OrderId">The order they were earned with.</param>
/// <param name="Points">How many.</param>
public sealed record PointsEarned(Guid OrderId, int Points);
